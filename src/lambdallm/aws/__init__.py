"""Request signing, credentials and region for AWS, without an AWS SDK.

    sigv4           signs a request (Signature Version 4)
    credentials     `Credentials`, and the flow that finds them
    container       the container credentials endpoint: ECS, EKS, Lambda SnapStart
    botocore_chain  profiles, SSO and instance metadata, when botocore is installed
    region          which region to call
    eventstream     event stream framing, as a server writes it
    errors          what can go wrong

Import from the module you need: this package loads nothing by itself. Nothing here opens a connection; whoever runs
`credentials_flow` sends what it yields.
"""
