from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.db.models import Q

from dashboard.forms.choices import RowsField
from dashboard.forms.made_from import MadeFrom
from dashboard.forms.tokens import NoTokenInClear
from routines import people
from routines.models import Person
from routines.models.columns import max_length
from routines.people import groups
from routines.people.roles import Role

_MAY = {
    Role.TEAMMATE: "Teammate: runs routines, sees their own runs",
    Role.MANAGER: "Manager: sees everybody's runs",
    Role.ADMIN: "Admin: all of that, and keeps routines, tokens and people",
}


class PersonForm(MadeFrom, NoTokenInClear, forms.Form):
    """What an admin may change about a person at any time."""

    first_name = forms.CharField(max_length=max_length(Person, "first_name"), required=False)
    last_name = forms.CharField(max_length=max_length(Person, "last_name"), required=False)
    email = forms.EmailField(
        label="E-mail address", max_length=max_length(Person, "email"), required=False
    )
    roles = forms.MultipleChoiceField(
        choices=list(_MAY.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Somebody without a role can sign in, and sees nothing.",
    )
    groups = RowsField(
        Group.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Some routines are open to some groups only.",
    )

    def __init__(self, *args: Any, person: Person | None = None, **kwargs: Any) -> None:
        if person is not None:
            kwargs["initial"] = {
                "first_name": person.first_name,
                "last_name": person.last_name,
                "email": person.email,
                "roles": people.roles_of(person),
                "groups": people.groups_of(person),
            }
            kwargs["made_from"] = people.snapshot(person)
        super().__init__(*args, **kwargs)
        self.fields["groups"].queryset = groups.own_groups()  # type: ignore[attr-defined]
        if not groups.own_groups().exists():
            del self.fields["groups"]

    def clean_roles(self) -> list[Role]:
        return [Role(name) for name in self.cleaned_data["roles"]]

    @property
    def values(self) -> dict[str, object]:
        """What people.edit and people.add_person are given."""
        return {"groups": []} | self.cleaned_data


class AddPersonForm(PersonForm):
    username = forms.CharField(
        max_length=max_length(Person, "username"),
        validators=[Person.username_validator],
        help_text="What they sign in with. It cannot be changed later.",
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    field_order = ["username"]


class GroupForm(MadeFrom, NoTokenInClear, forms.Form):
    name = forms.CharField(max_length=max_length(Group, "name"))
    members = RowsField(Person.objects.none(), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, *args: Any, group: Group | None = None, **kwargs: Any) -> None:
        if group is not None:
            kwargs["initial"] = {"name": group.name, "members": group.user_set.all()}
            kwargs["made_from"] = groups.snapshot(group)
        super().__init__(*args, **kwargs)
        # Who is deactivated stays a member, in case they come back.
        shown = Q(is_active=True) | Q(groups=group) if group else Q(is_active=True)
        choices = Person.objects.filter(shown).distinct().order_by("username")
        self.fields["members"].queryset = choices  # type: ignore[attr-defined]
