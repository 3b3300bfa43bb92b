"""The commands of ``manage.py`` that concern the whole portal."""
