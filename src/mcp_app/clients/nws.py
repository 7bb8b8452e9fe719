"""Current weather from the US National Weather Service (https://www.weather.gov/documentation/services-web-api).

It needs no key. A point leads to a grid, the grid to the stations around it, nearest first, and a station to its latest
observation, in which any value may be null. What the stations leave out, the hourly forecast fills in.
"""

import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from mcp_app.clients.cache import Cache
from mcp_app.clients.errors import BrokenError, NotFoundError, OddAnswerError, SlowError, UpstreamError
from mcp_app.clients.http import Call, Http
from mcp_app.clients.places import Place
from mcp_app.clients.weather_report import WeatherReport, at, number, words
from mcp_app.deadline import Deadline

SERVICE: Final = "The National Weather Service"

_STATIONS: Final = 3
_STATION_SECONDS: Final = 2.0
"""One slow station must not use up the call."""
_FRESH: Final = timedelta(hours=3)
"""Stations report hourly; some stop for days and keep their last observation."""
_POINT_SECONDS: Final = 86_400.0
"""A place's grid and stations hardly ever change."""
_PASSABLE: Final = (BrokenError, NotFoundError, OddAnswerError, SlowError)
"""What one station's failure may be, with the next one still worth asking."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where to ask about a place: ids of stations, the nearest first, and the path of the hourly forecast."""

    stations: tuple[str, ...]
    forecast: str | None


class NationalWeatherService:
    """The API at a base URL.

    Args:
        clock: monotonic seconds.
        wall_clock: epoch seconds.
    """

    def __init__(
        self,
        http: Http,
        base_url: str,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._http = http
        self._base_url = base_url.rstrip("/")
        self._wall_clock = wall_clock
        self._points: Cache[Point] = Cache(_POINT_SECONDS, 1024, clock)

    async def current(self, place: Place, deadline: Deadline) -> WeatherReport:
        """The weather now.

        Raises:
            UpstreamError: there is none to be had; a `NotFoundError` where nobody reports on the place.
        """
        point = await self._points.get(place, lambda: self._point(place, deadline))
        report = _NOTHING
        failure: UpstreamError = NotFoundError(SERVICE)
        for ask in self._sources(point):
            try:
                report = report.filled(await ask(deadline))
            except _PASSABLE as error:
                failure = error
            if report.complete:
                break
        if report.empty:
            raise failure
        return report

    def _sources(self, point: Point) -> Iterator[Callable[[Deadline], Awaitable[WeatherReport]]]:
        yield from (partial(self._observation, station) for station in point.stations[:_STATIONS])
        if point.forecast is not None:
            yield partial(self._forecast, point.forecast)

    async def _point(self, place: Place, deadline: Deadline) -> Point:
        document = await self._get(f"/points/{_degrees(place.latitude)},{_degrees(place.longitude)}", deadline)
        stations = _path(at(document, "properties", "observationStations"))
        if stations is None:
            raise OddAnswerError(SERVICE)
        ids = _station_ids(await self._get(stations, deadline))
        return Point(tuple(ids), _path(at(document, "properties", "forecastHourly")))

    async def _observation(self, station: str, deadline: Deadline) -> WeatherReport:
        document = await self._get(f"/stations/{station}/observations/latest", deadline, _STATION_SECONDS)
        return parse_observation(document, datetime.fromtimestamp(self._wall_clock(), UTC))

    async def _forecast(self, path: str, deadline: Deadline) -> WeatherReport:
        return parse_forecast(await self._get(path, deadline))

    async def _get(self, path: str, deadline: Deadline, seconds: float | None = None) -> Any:
        call = Call(
            service=SERVICE,
            url=self._base_url + path,
            headers={"accept": "application/geo+json"},
            seconds=seconds,
        )
        return await self._http.json(call, deadline)


_NOTHING: Final = WeatherReport(None, None, None, None, SERVICE)


def parse_observation(document: Any, now: datetime) -> WeatherReport:
    """The report in a station's latest observation; an empty one where it is old.

    Raises:
        OddAnswerError: it is no observation.
    """
    found = at(document, "properties")
    if not isinstance(found, dict):
        raise OddAnswerError(SERVICE)
    taken = _moment(found.get("timestamp"))
    if taken is not None and now - taken > _FRESH:
        return _NOTHING
    return WeatherReport(
        temperature=_fahrenheit(found.get("temperature")),
        conditions=words(found.get("textDescription")),
        humidity=number(at(found, "relativeHumidity", "value")),
        observed_at=None if taken is None else found["timestamp"],
        source=SERVICE,
    )


def parse_forecast(document: Any) -> WeatherReport:
    """The report in the first hour of an hourly forecast.

    Raises:
        OddAnswerError: there is none.
    """
    hour = at(document, "properties", "periods", 0)
    if not isinstance(hour, dict):
        raise OddAnswerError(SERVICE)
    return WeatherReport(
        temperature=_forecast_temperature(hour),
        conditions=words(hour.get("shortForecast")),
        humidity=number(at(hour, "relativeHumidity", "value")),
        observed_at=None,
        source=SERVICE,
    )


def _forecast_temperature(hour: dict[str, Any]) -> float | None:
    value = number(hour.get("temperature"))
    if value is None:
        return _fahrenheit(hour.get("temperature"))
    return value * 9 / 5 + 32 if hour.get("temperatureUnit") == "C" else value


def _fahrenheit(quantity: Any) -> float | None:
    """Degrees Fahrenheit of a value with a `unitCode` (`wmoUnit:degC`); None where either is unknown."""
    value = number(at(quantity, "value"))
    unit = str(at(quantity, "unitCode")).rpartition(":")[2]
    if value is None or unit not in {"degC", "degF"}:
        return None
    return value * 9 / 5 + 32 if unit == "degC" else value


def _moment(timestamp: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(timestamp)
    except (TypeError, ValueError):
        return None
    return None if moment.tzinfo is None else moment


def _degrees(value: float) -> str:
    """At most four decimals, no trailing zeros: the service redirects anything else."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def _path(url: Any) -> str | None:
    """The path of a URL that the service gave, so that only its own host is ever asked."""
    path = urlsplit(url).path if isinstance(url, str) else ""
    return path if re.fullmatch(r"/gridpoints/[\w/,-]+", path) else None


def _station_ids(document: Any) -> Iterator[str]:
    features = at(document, "features")
    for feature in features if isinstance(features, list) else ():
        station = at(feature, "properties", "stationIdentifier")
        if isinstance(station, str) and re.fullmatch(r"\w+", station):
            yield station
