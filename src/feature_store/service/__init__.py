"""The store over HTTP: `app.create_app` makes the application, `server.serve` runs it, `process` starts it apart."""
