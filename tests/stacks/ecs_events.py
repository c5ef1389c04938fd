"""Events as ECS sends them, after the examples in its documentation:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_deployment_events.html and
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html"""

from __future__ import annotations

from typing import Any

SERVICE_ARN = "arn:aws:ecs:eu-central-1:123456789012:service/alphard-dev-cluster/alphard-dev-service"
CLUSTER_ARN = "arn:aws:ecs:eu-central-1:123456789012:cluster/alphard-dev-cluster"

DEPLOYMENT_FAILED: dict[str, Any] = {
    "version": "0",
    "id": "c7a2f5f7-4f0b-4a0c-8d6e-1f0f2b6a9f10",
    "detail-type": "ECS Deployment State Change",
    "source": "aws.ecs",
    "account": "123456789012",
    "time": "2026-05-23T12:31:14Z",
    "region": "eu-central-1",
    "resources": [SERVICE_ARN],
    "detail": {
        "eventType": "ERROR",
        "eventName": "SERVICE_DEPLOYMENT_FAILED",
        "deploymentId": "ecs-svc/123",
        "updatedAt": "2026-05-23T11:11:11Z",
        "reason": "ECS deployment circuit breaker: task failed to start.",
    },
}

DEPLOYMENT_COMPLETED: dict[str, Any] = {
    **DEPLOYMENT_FAILED,
    "detail": {
        "eventType": "INFO",
        "eventName": "SERVICE_DEPLOYMENT_COMPLETED",
        "deploymentId": "ecs-svc/124",
        "updatedAt": "2026-05-23T11:11:11Z",
        "reason": "ECS deployment deploymentID completed.",
    },
}

SPOT_INTERRUPTION: dict[str, Any] = {
    "version": "0",
    "id": "9bcdac79-b31f-4d3d-9410-fbd727c29fab",
    "detail-type": "ECS Task State Change",
    "source": "aws.ecs",
    "account": "123456789012",
    "time": "2026-05-23T12:31:14Z",
    "region": "eu-central-1",
    "resources": [
        "arn:aws:ecs:eu-central-1:123456789012:task/alphard-dev-cluster/b99d40b3-5176-4f71-9a52-9dbd6f1cebef"
    ],
    "detail": {
        "clusterArn": CLUSTER_ARN,
        "desiredStatus": "STOPPED",
        "group": "service:alphard-dev-service",
        "lastStatus": "STOPPED",
        "launchType": "FARGATE",
        "stopCode": "SpotInterruption",
        "stoppedReason": "Your Spot Task was interrupted.",
    },
}
