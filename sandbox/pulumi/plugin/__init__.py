"""The laptop's `pulumi-resource-aws`: the provider's table, served over Pulumi's provider protocol."""
