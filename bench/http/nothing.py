# ruff: noqa: INP001 - bench is a folder of programs, no package
"""An endpoint that does nothing, in the usual kind of server: `uvicorn nothing:app`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def authenticate(request: Request) -> JSONResponse:
    """Accept whoever asks, and read nothing."""
    del request
    return JSONResponse({"outcome": "accepted"})


app = Starlette(routes=[Route("/v1/authenticate", authenticate, methods=["POST"])])
