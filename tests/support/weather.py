"""Doubles of OpenWeatherMap and of the US National Weather Service, on one real server."""

import asyncio
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.faults import Faults


def observation(celsius: float | None, description: str | None, humidity: float | None, age: float = 0) -> Any:
    """A station's latest observation, taken `age` seconds ago."""
    return {
        "properties": {
            "timestamp": datetime.fromtimestamp(time.time() - age, UTC).isoformat(),
            "textDescription": description,
            "temperature": {"unitCode": "wmoUnit:degC", "value": celsius, "qualityControl": "V"},
            "relativeHumidity": {"unitCode": "wmoUnit:percent", "value": humidity, "qualityControl": "V"},
        }
    }


def hour(fahrenheit: float | None, forecast: str | None, humidity: float | None) -> dict[str, Any]:
    """One hour of an hourly forecast."""
    return {
        "startTime": "2026-09-21T14:00:00-04:00",
        "temperature": fahrenheit,
        "temperatureUnit": "F",
        "shortForecast": forecast,
        "relativeHumidity": {"unitCode": "wmoUnit:percent", "value": humidity},
    }


@dataclass
class WeatherDouble:
    """What the two services answer, and the paths and queries that they were asked for.

    Attributes:
        keys: OpenWeatherMap keys that it accepts.
        current: OpenWeatherMap's answer.
        stations: the National Weather Service's stations, nearest first, with their latest observations.
        forecast: its hourly forecast.
        delay: seconds that every answer takes.
    """

    keys: set[str] = field(default_factory=lambda: {"owm-good"})
    current: Any = field(
        default_factory=lambda: {
            "name": "New York",
            "dt": 1_790_000_000,
            "main": {"temp": 71.6, "humidity": 65},
            "weather": [{"id": 802, "main": "Clouds", "description": "partly cloudy"}],
        }
    )
    stations: dict[str, Any] = field(default_factory=lambda: {"KNYC": observation(22.2, "Partly Cloudy", 64.6)})
    forecast: Any = field(default_factory=lambda: [hour(68, "Mostly Sunny", 50)])
    delay: float = 0.0
    faults: Faults = field(default_factory=Faults)
    requests: list[Request] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]

    @property
    def app(self) -> Starlette:
        answers = {
            "/data/2.5/weather": self._openweathermap,
            "/points/{point}": self._point,
            "/gridpoints/OKX/33,35/stations": self._stations,
            "/gridpoints/OKX/33,35/forecast/hourly": self._forecast,
            "/stations/{station}/observations/latest": self._observation,
        }
        return Starlette(routes=[Route(path, self._faulty(answer)) for path, answer in answers.items()])

    def _faulty(self, answer: Any) -> Any:
        async def respond(request: Request) -> Response:
            self.requests.append(request)
            await asyncio.sleep(self.delay)
            fault = self.faults.next(request)
            return await fault(request) if fault else answer(request)

        return respond

    def _openweathermap(self, request: Request) -> Response:
        if request.query_params.get("appid") not in self.keys:
            return JSONResponse({"cod": 401, "message": "Invalid API key."}, 401)
        return JSONResponse(self.current)

    def _point(self, request: Request) -> Response:
        grid = "https://api.weather.gov/gridpoints/OKX/33,35"
        links = {"observationStations": f"{grid}/stations", "forecastHourly": f"{grid}/forecast/hourly"}
        return JSONResponse({"properties": links})

    def _stations(self, request: Request) -> Response:
        return JSONResponse({"features": [{"properties": {"stationIdentifier": name}} for name in self.stations]})

    def _observation(self, request: Request) -> Response:
        return JSONResponse(self.stations[request.path_params["station"]])

    def _forecast(self, request: Request) -> Response:
        return JSONResponse({"properties": {"periods": self.forecast}})
