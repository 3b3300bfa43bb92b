"""The settings, a part in each file. What differs between installations comes from the environment (docs/operating.md).

Without DATABASE_URL this is the embedded default: SQLite, an in-memory broker, mails as files, all in one process.
With it, it is a server: PostgreSQL, Redis and a mail server must be named, and what is missing is said at once.
"""

from mxportal.settings.browsers import *  # noqa: F403
from mxportal.settings.database import *  # noqa: F403
from mxportal.settings.environment import *  # noqa: F403
from mxportal.settings.files import *  # noqa: F403
from mxportal.settings.log import *  # noqa: F403
from mxportal.settings.login import *  # noqa: F403
from mxportal.settings.mail import *  # noqa: F403
from mxportal.settings.rules import *  # noqa: F403
from mxportal.settings.site import *  # noqa: F403
from mxportal.settings.tasks import *  # noqa: F403
