"""How Django's pages write values, where its own formats do not do: `FORMAT_MODULE_PATH`."""
