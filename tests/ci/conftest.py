from tests.stores import candidate, folder, make_version, trained, trained_once  # noqa: F401
