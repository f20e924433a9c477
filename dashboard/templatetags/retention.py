"""What the pages say of how long runs are kept."""

from django import template

from routines.upkeep import retention

register = template.Library()


@register.simple_tag
def retention_policy() -> retention.Policy:
    return retention.policy()
