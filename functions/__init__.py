"""Lambda code: standard library and boto3 only, so that what passes on a laptop also starts on AWS."""
