"""The client of a policy pack: the real one, as its own process, over Pulumi's own protocol.

Import from the modules.

pack       `Pack`: an analyzer for the engine
process    starting and ending the pack's process
settings   which level and configuration each policy has
schema     whether a value is what a configuration schema allows
wire       resources as the pack is sent them
"""
