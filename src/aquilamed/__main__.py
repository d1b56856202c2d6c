import sys

from aquilamed.cli import main

sys.exit(main())
