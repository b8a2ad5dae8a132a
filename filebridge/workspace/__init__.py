"""The workspace: its settings, its folders, its vendor packs, its keys and its lock."""

from filebridge.workspace.folders import Workspace
from filebridge.workspace.keys import ApiKey, Secret
from filebridge.workspace.settings import Settings

__all__ = ["ApiKey", "Secret", "Settings", "Workspace"]
