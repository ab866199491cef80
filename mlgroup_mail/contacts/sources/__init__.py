"""Sources as tables: files of every kind, databases and remote stores, without looking at what cells mean."""
