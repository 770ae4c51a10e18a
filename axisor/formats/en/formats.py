"""Times to the second, as they stand in the logs too."""

DATETIME_FORMAT = "Y-m-d H:i:s"
