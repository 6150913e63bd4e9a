"""The pages: two do the work at hand within their request, two do nothing."""

from django.http import HttpRequest, HttpResponse

from benchmarks.overhead.loops import at_hand


def page(_: HttpRequest) -> HttpResponse:
    at_hand.run()
    return HttpResponse()


async def async_page(_: HttpRequest) -> HttpResponse:
    await at_hand.run_async()
    return HttpResponse()


def empty(_: HttpRequest) -> HttpResponse:
    return HttpResponse()


async def async_empty(_: HttpRequest) -> HttpResponse:
    return HttpResponse()
