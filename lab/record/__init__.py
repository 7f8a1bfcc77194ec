"""What is kept of a measurement: journal, the road of documents, shipper and catalogue."""
