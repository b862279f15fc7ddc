import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as selfheal from "@pulumi/selfheal";

const role = new aws.iam.Role("shop", {
    assumeRolePolicy: aws.iam.assumeRolePolicyForPrincipal({ Service: "lambda.amazonaws.com" }),
});
const checkout = new aws.lambda.Function("checkout", {
    role: role.arn,
    runtime: "python3.13",
    handler: "handler.handle",
    code: new pulumi.asset.FileArchive("checkout"),
    environment: { variables: { NEW_PRICING: "on" } },
});

const healer = new selfheal.Healer("healer", {
    ledgerName: `${pulumi.getProject()}-${pulumi.getStack()}-ledger`,
    mode: selfheal.Mode.ACT,
    targets: [{
        name: "checkout",
        functionName: checkout.name,
        timeoutSeconds: 3,
        invocation: selfheal.Invocation.SYNCHRONOUS,
        remedies: [{ kind: selfheal.RemedyKind.ENVIRONMENT, variable: "NEW_PRICING", value: "off" }],
    }],
});

export const ledgerTable = healer.ledgerTable;
