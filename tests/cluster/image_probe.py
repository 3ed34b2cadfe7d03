"""Run inside the image, by its own Python: says as JSON what a process there finds. It is handed over as text."""

import contextlib
import importlib
import importlib.util
import json
import os
import pkgutil

HOME = "/opt/detour"
SOURCES = f"{HOME}/sources"
INSTALLERS = ("pip", "ensurepip", "setuptools", "wheel")
TOOLS = ("pip", "gcc", "cc", "make", "curl", "wget")


def files() -> list[str]:
    return [os.path.join(folder, file) for folder, _, found in os.walk(HOME) for file in found]


def modules() -> list[str]:
    roots = [pkgutil.walk_packages([f"{SOURCES}/{root}"], f"{root}.") for root in os.listdir(SOURCES)]
    return [module.name for found in roots for module in found if not module.name.endswith("__main__")]


def written(path: str) -> bool:
    with contextlib.suppress(OSError):
        open(path, "w").close()
        return True
    return False


def broken(module: str) -> str | None:
    try:
        importlib.import_module(module)
    except Exception as error:
        return f"{module}: {error!r}"
    return None


def uncompiled(file: str) -> bool:
    return (
        file.startswith(SOURCES) and file.endswith(".py") and not os.path.exists(importlib.util.cache_from_source(file))
    )


def programs() -> set[str]:
    return {file for folder in os.get_exec_path() if os.path.isdir(folder) for file in os.listdir(folder)}


if __name__ == "__main__":
    places = ("/x", f"{HOME}/x", f"{SOURCES}/detour/x", "/usr/bin/x")
    print(
        json.dumps(
            {
                "user": [os.getuid(), os.getgid()],
                "written": [path for path in places if written(path)],
                "writable": [file for file in files() if os.access(file, os.W_OK)],
                "installers": [name for name in INSTALLERS if importlib.util.find_spec(name)],
                "tools": [name for name in programs() if name.startswith(TOOLS)],
                "tests": [file for file in files() if "/tests/" in file],
                "uncompiled": [file for file in files() if uncompiled(file)],
                "modules": len(modules()),
                "broken": [trouble for module in modules() if (trouble := broken(module))],
                "bytes": sum(os.path.getsize(file) for file in files()),
            }
        )
    )
