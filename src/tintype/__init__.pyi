from tintype.api import ColouredFile as ColouredFile
from tintype.api import colorize_file as colorize_file
from tintype.api import load as load
from tintype.colorize import Colorizer as Colorizer
from tintype.errors import TintypeError as TintypeError

__version__: str
