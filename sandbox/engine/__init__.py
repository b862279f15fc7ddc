"""The laptop's Pulumi engine: runs an unmodified `__main__.py` without the Pulumi CLI.

Import from the modules: `engine.Engine`, `project.Project`, `stack_config.StackConfig`,
`state_file.StateFile`, `provider_api.Provider`. Nothing is imported here, because the program's own process
loads this package too and should not pay for the server's side.

    project, stack_config   Pulumi.yaml and Pulumi.<stack>.yaml, validated
    launcher, program       start the program's process; what runs inside it
    monitor, goal           the gRPC services the SDK talks to; what a request may ask for
    deployment, ordering    what to do with a registration; in which order to delete
    refresh, recovery       look at the live resources; finish what a killed run began
    analyzer_api, analysis  what judges the registrations, and when it is asked
    journal, state, state_file   the record of what exists
    wire, assets, urn, paths     small formats
"""
