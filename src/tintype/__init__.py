"""Tintype: black-and-white photographs in colour.

>>> import tintype
>>> tintype.colorize_file("gray.jpg", "coloured.png")
>>> colorizer = tintype.load()
>>> pixels = colorizer.colorize(pixels)

What is named here is imported when it is first used: `import tintype` alone loads nothing heavy. `__init__.pyi` has the
types.
"""

_MODULES = {
    "ColouredFile": "tintype.api",
    "Colorizer": "tintype.colorize",
    "TintypeError": "tintype.errors",
    "colorize_file": "tintype.api",
    "load": "tintype.api",
}
__all__ = ["Colorizer", "ColouredFile", "TintypeError", "__version__", "colorize_file", "load"]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("tintype")
    if name not in _MODULES:
        raise AttributeError(f"module 'tintype' has no attribute {name!r}")
    from importlib import import_module

    return vars(import_module(_MODULES[name]))[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
