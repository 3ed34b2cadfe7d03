"""Every way in which kubectl changes a Deployment: one name a row, one test a promise."""
