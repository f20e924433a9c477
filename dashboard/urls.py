from allauth.account import views as allauth
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from django.urls import path, re_path

from dashboard.api import resources
from dashboard.api.document import views as document
from dashboard.fire_door import fire
from dashboard.mcp import endpoint
from dashboard.views import (
    accounts,
    api_key_secrets,
    api_keys,
    audit,
    board,
    connect,
    errors,
    export,
    groups,
    history,
    insight,
    oidc,
    outcomes,
    people,
    register,
    registry,
    run,
    saved_views,
    second_factor,
    sign_in,
    text_templates,
    tokens,
    version_trial,
    versions,
)
from routines.history.export import Format

urlpatterns = [
    path("", board.board, name="board"),
    path("board/rest/", board.rest, name="board_rest"),
    path("board/changes/", board.changes, name="board_changes"),
    path("routines/<slug:slug>/card/", board.card, name="card"),
    path("routines/<slug:slug>/pin/", board.pin, name="pin"),
    path("routines/<slug:slug>/unpin/", board.unpin, name="unpin"),
    path("routines/<slug:slug>/run/", run.run, name="run"),
    path("routines/<slug:slug>/run/text/", run.preview, name="preview"),
    path("routines/<slug:slug>/run/save/", run.save_as_own, name="save_as_own"),
    path("routines/<slug:slug>/mine/", text_templates.own, name="own_templates"),
    path("routines/<slug:slug>/mine/<int:pk>/", text_templates.edit_own, name="own_template"),
    path(
        "routines/<slug:slug>/mine/<int:pk>/preview/",
        text_templates.preview_own,
        name="preview_own_template",
    ),
    path(
        "routines/<slug:slug>/mine/<int:pk>/delete/",
        text_templates.delete_own,
        name="delete_own_template",
    ),
    # An address of its own: a POST to the page's own would take it out of the browser's cache, and
    # Back would then bring a fresh form with a fresh key instead of the one that was sent.
    path("routines/<slug:slug>/fire/", run.fire, name="fire"),
    # The history
    path("history/", history.history, name="history"),
    path("history/runs.csv", export.export_runs, {"file_format": Format.CSV}, name="export_csv"),
    path(
        "history/runs.jsonl",
        export.export_runs,
        {"file_format": Format.JSON_LINES},
        name="export_json_lines",
    ),
    path("history/new/", history.new_runs, name="new_runs"),
    path("history/turned-away/", api_keys.calls_turned_away, name="calls_turned_away"),
    path("history/views/save/", saved_views.save, name="save_view"),
    path("history/views/<int:pk>/delete/", saved_views.delete, name="delete_view"),
    path("history/<int:pk>/", history.run, name="history_run"),
    path("history/<int:pk>/result/", history.result, name="history_result"),
    path("history/<int:pk>/cancel/", history.cancel, name="cancel_run"),
    path("history/<int:pk>/started/", history.settle_as_started, name="settle_as_started"),
    path(
        "history/<int:pk>/not-started/",
        history.settle_as_not_started,
        name="settle_as_not_started",
    ),
    path("history/<int:pk>/outcome/", outcomes.mark, name="mark_outcome"),
    path("history/<int:pk>/outcome/note/", outcomes.note, name="note_outcome"),
    path("history/<int:pk>/outcome/take-back/", outcomes.take_back, name="take_back_outcome"),
    # The insight page
    path("insight/", insight.page, name="insight"),
    path("insight/progress/", insight.progress, name="insight_progress"),
    # The registry
    path("routines/", registry.routines, name="registry"),
    path("routines/register/", register.paste, name="register"),
    path("routines/register/details/", register.details, name="register_details"),
    path("routines/<slug:slug>/", registry.routine, name="registry_routine"),
    path("routines/<slug:slug>/edit/", registry.edit, name="edit"),
    path("routines/<slug:slug>/rules/", registry.rules, name="rules"),
    path("routines/<slug:slug>/connect/", connect.connect, name="connect"),
    path("routines/<slug:slug>/next/", register.registered, name="registered"),
    path("routines/<slug:slug>/token/", tokens.replace, name="token"),
    path("routines/<slug:slug>/token/test/", tokens.test, name="token_test"),
    path("routines/<slug:slug>/token/compromised/", tokens.compromised, name="token_compromised"),
    path("routines/<slug:slug>/enable/", registry.enable, name="enable"),
    path("routines/<slug:slug>/disable/", registry.disable, name="disable"),
    path("routines/<slug:slug>/archive/", registry.archive, name="archive"),
    path("routines/<slug:slug>/restore/", registry.restore, name="restore"),
    path("routines/<slug:slug>/lift-hold/", registry.lift_hold, name="lift_hold"),
    path("routines/<slug:slug>/templates/add/", text_templates.add_template, name="add_template"),
    path(
        "routines/<slug:slug>/templates/preview/",
        text_templates.preview_template,
        name="preview_template",
    ),
    path(
        "routines/<slug:slug>/templates/<int:pk>/",
        text_templates.edit_template,
        name="edit_template",
    ),
    path(
        "routines/<slug:slug>/templates/<int:pk>/delete/",
        text_templates.delete_template,
        name="delete_template",
    ),
    path("accounts/", accounts.list_all, name="accounts"),
    path("accounts/<int:account>/", accounts.edit, name="edit_account"),
    path("accounts/<int:account>/lift-hold/", accounts.lift_hold, name="lift_account_hold"),
    # Callers: API keys
    path("callers/", api_keys.index, name="callers"),
    path("callers/add/", api_keys.add, name="add_api_key"),
    path("callers/<int:api_key>/", api_keys.api_key, name="api_key"),
    path("callers/<int:api_key>/edit/", api_keys.edit, name="edit_api_key"),
    path("callers/<int:api_key>/secrets/add/", api_key_secrets.add, name="add_secret"),
    path("callers/<int:api_key>/secrets/<int:secret>/end/", api_key_secrets.end, name="end_secret"),
    path("callers/<int:api_key>/revoke/", api_key_secrets.revoke, name="revoke_api_key"),
    path("my-keys/", api_keys.own, name="own_api_keys"),
    path("my-keys/add/", api_keys.add_own, name="add_own_api_key"),
    # Header versions
    path("versions/", versions.versions, name="versions"),
    path("versions/add/", versions.add, name="add_version"),
    path("versions/<int:version>/remove/", versions.remove, name="remove_version"),
    path("versions/move/", versions.move, name="move_versions"),
    path("versions/try/<slug:slug>/", version_trial.try_one, name="try_version"),
    path("versions/moves/<int:move>/back/", versions.go_back, name="go_back"),
    # People
    path("people/", people.index, name="people"),
    path("people/add/", people.add, name="add_person"),
    path("people/<int:person>/", people.edit, name="edit_person"),
    path("people/<int:person>/deactivate/", people.deactivate, name="deactivate_person"),
    path("people/<int:person>/reactivate/", people.reactivate, name="reactivate_person"),
    path("people/<int:person>/password/", people.give_password, name="give_password"),
    path(
        "people/<int:person>/second-factor/reset/",
        people.reset_second_factor,
        name="reset_second_factor",
    ),
    path("people/groups/", groups.index, name="groups"),
    path("people/groups/add/", groups.add, name="add_group"),
    path("people/groups/<int:group>/", groups.edit, name="edit_group"),
    path("people/groups/<int:group>/delete/", groups.delete, name="delete_group"),
    # The audit trail
    path("audit/", audit.index, name="audit"),
    path("audit/changes.csv", audit.export, name="audit_csv"),
    path("audit/sign-ins/", audit.sign_ins, name="sign_ins"),
    path("audit/sign-ins.csv", audit.export_sign_ins, name="sign_ins_csv"),
    # Signing in: of allauth's pages only those that an internal dashboard needs. Nobody signs
    # up: the sign-up page says so (dashboard/sign_in/accounts.py).
    path("sign-in/", allauth.login, name="account_login"),
    path("sign-in/provider/", oidc.begin, name="oidc_begin"),
    path("sign-in/provider/back/", oidc.callback, name="oidc_callback"),
    path("sign-in/provider/confirm/", oidc.confirm, name="oidc_confirm"),
    path("sign-out/", allauth.logout, name="account_logout"),
    path("sign-up/", allauth.signup, name="account_signup"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("password/", sign_in.change_password, name="account_change_password"),
    path("confirm/", allauth.reauthenticate, name="account_reauthenticate"),
    path("confirmed/", sign_in.confirmed, name="confirmed"),
    # The second factor
    path("second-factor/", second_factor.index, name="mfa_index"),
    path("second-factor/sign-in/", mfa.authenticate, name="mfa_authenticate"),
    path("second-factor/confirm/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("second-factor/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("second-factor/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("second-factor/passkeys/", second_factor.passkeys, name="mfa_list_webauthn"),
    path("second-factor/passkeys/add/", webauthn.add_webauthn, name="mfa_add_webauthn"),
    path(
        "second-factor/passkeys/confirm/",
        webauthn.reauthenticate_webauthn,
        name="mfa_reauthenticate_webauthn",
    ),
    path(
        "second-factor/passkeys/<int:pk>/remove/",
        second_factor.remove_passkey,
        name="mfa_remove_webauthn",
    ),
    path("second-factor/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "second-factor/codes/new/",
        codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    # Where one is signed in
    path("web-sessions/", sign_in.list_sessions, name="web_sessions"),
    path("web-sessions/end-others/", sign_in.end_other_sessions, name="end_other_sessions"),
    path("web-sessions/<int:pk>/end/", sign_in.end_session, name="end_session"),
    # The doors for machines
    path("v1/claude_code/routines/<str:reference>/fire", fire.fire, name="fire_door"),
    re_path(r"^v1(?:/[\s\S]*)?$", fire.elsewhere, name="elsewhere_at_fire_door"),
    *resources.urlpatterns,
    path("api/openapi.json", document.openapi, name="api_document"),
    path("api/docs", document.docs, name="api_docs"),
    path("mcp", endpoint.mcp, name="mcp"),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler429 = errors.too_many  # allauth's: Django knows no such handler
handler500 = errors.server_error
