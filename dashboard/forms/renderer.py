from django.forms.renderers import TemplatesSetting


class PlainFormRenderer(TemplatesSetting):
    """Every form of the product, allauth's included, draws its fields with our one template."""

    field_template_name = "forms/field.html"
