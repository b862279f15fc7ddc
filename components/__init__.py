"""Components that heal Lambda functions, this project's or another's."""
