"""An app whose module cannot be imported."""

import no_such_module  # type: ignore[import-not-found]

app = no_such_module.app
