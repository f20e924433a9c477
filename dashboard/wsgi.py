import os

from django.core.wsgi import get_wsgi_application

from dashboard.serving import bounds

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
application = bounds.readable_content_type(get_wsgi_application())
