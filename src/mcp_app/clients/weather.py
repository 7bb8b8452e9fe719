"""Current weather: from OpenWeatherMap where there is a key for it, else from the US National Weather Service."""

import time
from collections.abc import Callable

from mcp_app.clients.cache import Cache
from mcp_app.clients.credentials import ApiKey
from mcp_app.clients.errors import NotFoundError, UpstreamError
from mcp_app.clients.http import Http
from mcp_app.clients.nws import NationalWeatherService
from mcp_app.clients.openweathermap import SERVICE, OpenWeatherMap
from mcp_app.clients.places import Place, find_place
from mcp_app.clients.weather_report import WeatherReport
from mcp_app.deadline import Deadline
from mcp_app.secrets import Secrets
from mcp_app.settings import Settings


class NoWeatherError(UpstreamError):
    """The service does not cover the place."""

    def __init__(self, place: Place) -> None:
        Exception.__init__(self, f"No weather is reported for {place.name} ({place.zip_code}).")


class Weather:
    """The weather at US ZIP codes, kept for `WEATHER_CACHE_SECONDS`.

    Args:
        clock: monotonic seconds.
        wall_clock: epoch seconds.
    """

    def __init__(
        self,
        http: Http,
        settings: Settings,
        secrets: Secrets,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = ApiKey(secrets, SERVICE, "WEATHER_API_KEY")
        self._openweathermap = OpenWeatherMap(http, settings.openweathermap_base_url)
        self._nws = NationalWeatherService(http, settings.nws_base_url, clock, wall_clock)
        self._reports: Cache[WeatherReport] = Cache(settings.weather_cache_seconds, 1024, clock)

    async def place(self, zip_code: str) -> Place | None:
        """The place of a five-digit ZIP code; None where there is no such code."""
        return await find_place(zip_code)

    async def current(self, place: Place, deadline: Deadline) -> WeatherReport:
        """The weather at a place now.

        Raises:
            UpstreamError: there is none to be had.
        """
        return await self._reports.get(place.zip_code, lambda: self._fetch(place, deadline))

    async def _fetch(self, place: Place, deadline: Deadline) -> WeatherReport:
        try:
            if await self._key.value() is None:
                return await self._nws.current(place, deadline)
            return await self._key.use(lambda key: self._openweathermap.current(place, key, deadline))
        except NotFoundError:
            raise NoWeatherError(place) from None
