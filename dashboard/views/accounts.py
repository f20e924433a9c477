"""The claude.ai accounts: their names, hourly limits and holds."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.accounts import AccountForm
from dashboard.lookups import account_or_404, may_manage_registry
from dashboard.requests import SignedInRequest
from routines.registry import accounts


@require_GET
@may_manage_registry
def list_all(request: SignedInRequest) -> HttpResponse:
    rows = [(account, accounts.is_held(account)) for account in accounts.listed()]
    return render(request, "accounts/accounts.html", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@may_manage_registry
def edit(request: SignedInRequest, account: int) -> HttpResponse:
    stored = account_or_404(account)
    form = AccountForm(
        request.POST if request.method == "POST" else None,
        initial={"label": stored.label, "hourly_limit": stored.hourly_limit},
    )
    if form.is_valid():
        try:
            accounts.edit(stored, **form.cleaned_data, by=request.user)
        except accounts.LabelTaken:
            form.add_error("label", "Another account is called so. Choose another name.")
        else:
            messages.success(request, "The account is saved.")
            return redirect("accounts")
    context = {"form": form, "account": stored, "is_held": accounts.is_held(stored)}
    status = 422 if form.is_bound else 200
    return render(request, "accounts/account.html", context, status=status)


@require_POST
@may_manage_registry
def lift_hold(request: SignedInRequest, account: int) -> HttpResponse:
    accounts.lift_hold(account_or_404(account), by=request.user)
    messages.success(request, "The hold is lifted: the account's routines can be run again.")
    return redirect("edit_account", account=account)
