"""However deep in its calls a page stands, the operating system is not asked for memory anew."""

import resource

from django.http import HttpRequest, HttpResponse

from dashboard.serving.stack import RoomOnStackMiddleware

_CALLS = 500
_DEPTHS = 300  # more than one piece of 16 KB


def _leaf(number: int) -> int:
    return number


def _many_calls(request: HttpRequest) -> HttpResponse:
    for number in range(_CALLS):
        _leaf(number)
    return HttpResponse()


def _at_depth(depth: int, call: RoomOnStackMiddleware) -> None:
    if depth:
        _at_depth(depth - 1, call)
    else:
        call(HttpRequest())


def _page_faults(call: RoomOnStackMiddleware, depth: int) -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    _at_depth(depth, call)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def test_no_depth_makes_a_page_fault_for_each_call():
    middleware = RoomOnStackMiddleware(_many_calls)
    _page_faults(middleware, _DEPTHS)
    assert max(_page_faults(middleware, depth) for depth in range(_DEPTHS)) < _CALLS / 2
