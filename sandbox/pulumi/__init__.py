"""Everything of Pulumi that runs on a laptop: its CLI, the provider plugin, a language host, a deployer."""
