"""What actions do, after the Service Authorization Reference: of those of notifiers none is a change."""

import pytest
from selfheal_policies.actions import CONTROL, DATA, READ, RECORD, TELL, WAKE, meaning, reads_data
from selfheal_policies.managed import invokes_functions, is_harmless, may_read_data

KINDS = {
    READ: """
        appconfig:GetLatestConfiguration athena:GetQueryResults aps:QueryMetrics budgets:ViewBudget
        ce:GetCostAndUsage cloudtrail:LookupEvents codepipeline:GetPipelineState config:SelectResourceConfig
        dynamodb:PartiQLSelect ec2:Describe* ecr:BatchCheckLayerAvailability es:ESHttpGet
        health:DescribeEvents identitystore:ListUsers logs:FilterLogEvents organizations:DescribeAccount
        pi:GetResourceMetrics rds:DownloadDBLogFilePortion resource-explorer-2:Search s3:GetObject s3:List*
        secretsmanager:GetSecretValue ssm-incidents:GetIncidentRecord ssm:GetParameter* tag:GetResources
        timestream:Select trustedadvisor:ListRecommendations xray:BatchGetTraces
    """,
    TELL: """
        appsync:EventConnect evidently:EvaluateFeature events:RetrieveConnectionCredentials iot:Connect
        kafka-cluster:AlterGroup quicksight:GenerateEmbedUrlForRegisteredUser
        ssmmessages:OpenDataChannel sts:TagSession
        cloudwatch:PutMetricData connect:StartOutboundVoiceContact execute-api:ManageConnections
        kms:Decrypt kms:GenerateDataKey* kms:ReEncrypt* mobiletargeting:SendMessages rum:PutRumEvents
        ses:* ses:Send* ses:SendBulkEmail ses:SendEmail sms-voice:SendTextMessage sqs:DeleteMessage
        sqs:ReceiveMessage ssm-contacts:StartEngagement support:* xray:PutTraceSegments
    """,
    RECORD: """
        aiops:CreateInvestigation cloudtrail-data:PutAuditEvents dsql:DbConnect glue:CreatePartition
        codecommit:PostCommentForPullRequest logs:CreateExportTask qbusiness:ChatSync rds-data:*
        transcribe:StartTranscriptionJob
        athena:StartQueryExecution bedrock:InvokeModel bedrock:Retrieve cloudwatch:PutDashboard
        firehose:PutRecord* firehose:PutRecordBatch logs:* logs:CreateLogDelivery logs:PutLogEvents
        logs:PutResourcePolicy logs:StartQuery logs:UpdateLogDelivery rds-data:ExecuteStatement rds-db:connect
        sagemaker:InvokeEndpoint securityhub:BatchImportFindings ssm-incidents:CreateTimelineEvent
        ssm:CreateOpsItem ssm:UpdateOpsItem support:CreateCase timestream:WriteRecords xray:*
    """,
    WAKE: """
        appsync:EventPublish appsync:GraphQL execute-api:* execute-api:Invoke states:InvokeHTTPEndpoint
        events:PutEvents iot:Publish kinesis:PutRecord kinesis:PutRecords lambda:InvokeFunction
        lambda:InvokeFunctionUrl sns:Publish sqs:SendMessage ssm-incidents:StartIncident
        states:SendTaskSuccess states:StartExecution
    """,
    DATA: """
        dynamodb:BatchWriteItem dynamodb:DeleteItem dynamodb:PartiQLUpdate dynamodb:PutItem
        dynamodb:UpdateItem s3:DeleteObject* s3:PutObject s3:PutObject* s3:PutObjectAcl s3:PutObjectTagging
    """,
    CONTROL: """
        * appconfig:StartDeployment application-autoscaling:RegisterScalableTarget autoscaling:*
        autoscaling:SetDesiredCapacity bedrock:Invoke* bedrock:InvokeAgent cloudformation:ExecuteChangeSet
        cloudfront:UpdateDistribution cloudwatch:DisableAlarmActions cloudwatch:PutMetric*
        cloudwatch:PutMetricAlarm cloudwatch:SetAlarmState codebuild:StartBuild codedeploy:StopDeployment
        dynamodb:* dynamodb:DeleteTable dynamodb:UpdateTable ec2:* ec2:CreateTags ec2:ModifyInstanceAttribute
        ec2:RebootInstances ec2:TerminateInstances ecs:* ecs:RunTask ecs:StopTask ecs:UpdateService
        eks:AccessKubernetesApi eks:UpdateNodegroupConfig elasticache:ModifyReplicationGroup elasticache:Test*
        elasticache:TestFailover elasticloadbalancing:DeregisterTargets events:DisableRule events:PutRule
        glue:StartJobRun iam:PassRole iam:PutRolePolicy kms:CreateGrant kms:ScheduleKeyDeletion lambda:*
        lambda:UpdateFunctionCode logs:DeleteLogGroup logs:PutSubscriptionFilter rds:FailoverDBCluster
        rds:RebootDBInstance redshift:GetClusterCredentials route53:ChangeResourceRecordSets s3:*
        s3:DeleteBucket s3:PutBucketPolicy scheduler:CreateSchedule secretsmanager:PutSecretValue
        servicequotas:RequestServiceQuotaIncrease sns:* sns:SetTopicAttributes sqs:PurgeQueue
        sqs:StartMessageMoveTask ssm:AddTagsToResource ssm:PutParameter ssm:SendCommand ssm:Start*
        ssm:StartAutomationExecution states:StopExecution states:TestState sts:AssumeRole wafv2:UpdateIPSet
    """,
}


@pytest.mark.parametrize(
    ("action", "kind"), [(action, kind) for kind, actions in KINDS.items() for action in actions.split()]
)
def test_an_action_is_what_it_does(action: str, kind: str) -> None:
    assert meaning(action) == kind
    assert meaning(action.upper()) == kind


def test_tags_of_ops_items_are_a_part_of_them() -> None:
    assert meaning("ssm:AddTagsToResource", "arn:aws:ssm:*:*:opsitem/*") == RECORD
    assert meaning("ssm:AddTagsToResource", "arn:aws:ssm:*:*:parameter/*") == CONTROL


def test_the_rules_by_which_workflows_wait_are_a_part_of_these() -> None:
    rule = "arn:aws:events:eu-west-1:123456789012:rule/StepFunctionsGetEventsForECSTaskRule"
    for action in ("events:PutRule", "events:PutTargets"):
        assert meaning(action, rule) == RECORD
        assert meaning(action, "arn:aws:events:eu-west-1:123456789012:rule/*") == CONTROL
    assert meaning("events:DisableRule", rule) == CONTROL


def test_reading_items_and_objects_is_told_from_reading_about_them() -> None:
    for action in ("dynamodb:GetItem", "dynamodb:BatchGet*", "s3:GetObject", "s3:Get*", "dynamodb:*", "*"):
        assert reads_data(action), action
    for action in ("dynamodb:DescribeTable", "s3:GetObjectTagging", "s3:ListBucket", "logs:*", "sns:Publish"):
        assert not reads_data(action), action


def test_policies_of_aws_are_known_by_their_whole_arn() -> None:
    basic = "policy/service-role/AWSLambdaBasicExecutionRole"
    for arn in (
        f"arn:aws:iam::aws:{basic}",
        f"arn:aws-cn:iam::aws:{basic}",
        "arn:aws-us-gov:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
        "arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess",
    ):
        assert is_harmless(arn), arn
    for arn in (
        f"arn:aws:iam::123456789012:{basic}",
        "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole",
        "arn:aws:iam::aws:policy/ViewOnlyAccess",
        f"arn:aws:iam::aws:{basic}2",
        f"arn:aws:iam::aws:policy/{basic}",
        "arn:aws:iam::aws:policy/AmazonEC2FullAccess",
        "AWSLambdaBasicExecutionRole",
        "",
    ):
        assert not is_harmless(arn), arn
    assert invokes_functions("arn:aws:iam::aws:policy/service-role/AWSLambdaRole")
    assert not invokes_functions("arn:aws:iam::123456789012:policy/service-role/AWSLambdaRole")
    assert may_read_data("arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess")
    assert may_read_data("arn:aws:iam::123456789012:policy/anything")
    assert not may_read_data(f"arn:aws:iam::aws:{basic}")
