"""An exam played over HTTP by many candidates at once, as programs outside would play it."""
