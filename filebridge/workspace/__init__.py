"""The workspace: its settings, its folders, its vendor packs, its keys and its lock."""

from filebridge.workspace.checks import notices_of, problems_of
from filebridge.workspace.folders import Workspace
from filebridge.workspace.keys import ApiKey, Secret
from filebridge.workspace.settings import Settings

__all__ = ["ApiKey", "Secret", "Settings", "Workspace", "notices_of", "problems_of"]
