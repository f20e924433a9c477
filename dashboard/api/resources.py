"""Every address of the API that takes a key, in the order in which the document lists them."""

from django.urls import path

from dashboard.api import index, routines, runs
from dashboard.api.operations import Resource

RESOURCES = [
    Resource("api", "api_index", [index.show_index]),
    Resource("api/routines", "api_routines", [routines.list_routines]),
    Resource("api/routines/<str:reference>", "api_routine", [routines.show_routine]),
    Resource("api/routines/<str:reference>/runs", "api_routine_runs", [runs.make_run]),
    Resource("api/runs", "api_runs", [runs.list_runs]),
    Resource("api/runs/<int:pk>", "api_run", [runs.show_run]),
    Resource("api/runs/<int:pk>/cancel", "api_cancel_run", [runs.cancel_run]),
]

urlpatterns = [path(one.route, one.view, name=one.name) for one in RESOURCES]
