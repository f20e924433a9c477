"""The claude.ai accounts: their names, hourly limits and holds."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.accounts import AccountForm
from dashboard.forms.made_from import seen_by
from dashboard.lookups import account_or_404, may_manage_registry
from dashboard.requests import SignedInRequest
from dashboard.views.overtaken import asks_again, may_be_gone
from routines.registry import accounts
from routines.values.snapshots import ChangedMeanwhile


@require_GET
@may_manage_registry
def list_all(request: SignedInRequest) -> HttpResponse:
    rows = [(account, accounts.is_held(account)) for account in accounts.listed()]
    return render(request, "accounts/accounts.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@may_manage_registry
@may_be_gone
def edit(request: SignedInRequest, account: int) -> HttpResponse:
    stored = account_or_404(account)
    form = AccountForm(
        request.POST if request.method == "POST" else None,
        initial={"label": stored.label, "hourly_limit": stored.hourly_limit},
        made_from=accounts.snapshot(stored),
    )
    if form.is_valid():
        try:
            accounts.edit(stored, **form.cleaned_data, by=request.user)
        except accounts.LabelTaken:
            form.add_error("label", "Another account is called so. Choose another name.")
        except ChangedMeanwhile as changed:
            form.tell(changed)
        else:
            messages.success(request, "The account is saved.")
            return redirect("accounts")
    context = {"form": form, "account": stored, "is_held": accounts.is_held(stored)}
    status = 422 if form.is_bound else 200
    return render(request, "accounts/account.html", context, status=status)


@require_POST
@may_manage_registry
@asks_again("Lift the hold", back="edit_account")
def lift_hold(request: SignedInRequest, account: int) -> HttpResponse:
    stored = account_or_404(account)
    seen = seen_by(request.POST, accounts.snapshot_of_hold(stored))
    accounts.lift_hold(stored, by=request.user, seen=seen)
    messages.success(request, "The hold is lifted: the account's routines can be run again.")
    return redirect("edit_account", account=account)
