"""The record of every change: listed, filtered, exported, and each event by itself."""
