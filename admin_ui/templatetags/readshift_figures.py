"""Filters that write numbers the way `admin_ui.drawing.figures` does, whatever the active language."""

from django import template

from admin_ui.drawing import figures
from tasks.reporting import words

register = template.Library()
register.filter("grouped", words.grouped)
register.filter("percent", figures.percent)
register.filter("measured", figures.measured)
register.filter("plain", figures.plain)
register.filter("exact_clock", figures.exact_clock)
