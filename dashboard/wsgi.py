import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from dashboard.serving import bounds
from dashboard.serving.receiving import Receiving

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
application = bounds.readable_content_type(get_wsgi_application())
# As gunicorn serves it.
received = Receiving(
    application,
    places=settings.WEB_THREADS,
    most_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
)
