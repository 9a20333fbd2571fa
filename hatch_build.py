"""The wheel's build hook: adds the roots of trust as a directory of hashed certificates, which loads lazily.

A Lambda image has only a bundle, and loading a bundle costs every cold start 15 ms. The list is Mozilla's, as
`certifi` carries it at the time of the build.
"""

import importlib.util
import tempfile
from pathlib import Path

import certifi
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOTS_MODULE = "src/lambdallm/transport/tls_roots.py"
TARGET = "lambdallm/transport/roots"


class RootsHook(BuildHookInterface):
    def initialize(self, version, build_data):
        if version != "editable":
            spec = importlib.util.spec_from_file_location("tls_roots", Path(self.root) / ROOTS_MODULE)
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            self.folder = tempfile.TemporaryDirectory()
            module.hash_certificates(certifi.where(), self.folder.name)
            build_data["force_include"][self.folder.name] = TARGET

    def finalize(self, version, build_data, artifact_path):
        if version != "editable":
            self.folder.cleanup()
