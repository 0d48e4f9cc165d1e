# What infra/template.yaml makes, for teams without CloudFormation: the same resources under the same conditions. A test compares the two.

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_availability_zones" "available" {
  state = "available"
}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name
  suffix    = data.aws_partition.current.dns_suffix

  makes_network        = var.vpc_id == ""
  makes_third_subnet   = local.makes_network && var.zone_c != ""
  makes_security_group = length(var.security_group_ids) == 0
  makes_repository     = var.image == ""
  has_contender        = var.contender_image != ""
  makes_results_bucket = var.existing_results_bucket == ""
  # The least memory that Fargate has for so many CPU units.
  memory = { "256" = "512", "512" = "1024", "1024" = "2048", "2048" = "4096", "4096" = "8192", "8192" = "16384", "16384" = "32768", "32768" = "61440" }[var.task_cpu]
  vcpu   = { "256" = "0.25", "512" = "0.5", "1024" = "1", "2048" = "2", "4096" = "4", "8192" = "8", "16384" = "16", "32768" = "32" }[var.task_cpu]

  source_arn      = "arn:${local.partition}:s3:::${var.source_bucket}"
  results_bucket  = local.makes_results_bucket ? aws_s3_bucket.results[0].bucket : var.existing_results_bucket
  results_arn     = "arn:${local.partition}:s3:::${local.results_bucket}"
  image           = local.makes_repository ? "${aws_ecr_repository.repository[0].repository_url}:${var.image_tag}" : var.image
  subnets         = local.makes_network ? concat([aws_subnet.a[0].id, aws_subnet.b[0].id], aws_subnet.c[*].id) : var.subnet_ids
  security_groups = local.makes_security_group ? [aws_security_group.task[0].id] : var.security_group_ids
  public_address  = local.makes_network ? "ENABLED" : var.assign_public_ip
  by_s3           = { StringLike = { "kms:ViaService" = "s3.*.${local.suffix}" } }
  below_prefix    = var.source_prefix == "" ? {} : { Condition = { StringLike = { "s3:prefix" = "${var.source_prefix}*" } } }
  # Batch may leave out a variable that is empty.
  environment = [for name, value in {
    BUCKET_NAME            = var.source_bucket
    RESULT_BUCKET_NAME     = local.results_bucket
    PARFETCH_RESULT_PREFIX = "parfetch/"
    PARFETCH_PREFIX        = var.source_prefix
    PARFETCH_SPOOL_DIR     = "/scratch"
    PARFETCH_PROGRESS      = "never"
  } : { name = name, value = value } if value != ""]

  # Of task and caller alike.
  list_source = merge({ Sid = "ListSource", Effect = "Allow", Action = "s3:ListBucket", Resource = local.source_arn }, local.below_prefix)
  list_results = {
    Sid       = "ListResults", Effect = "Allow", Action = "s3:ListBucket", Resource = local.results_arn,
    Condition = { StringLike = { "s3:prefix" = "parfetch/*" } }
  }
  keep_results = {
    Sid    = "KeepResults", Effect = "Allow", Resource = "${local.results_arn}/parfetch/*"
    Action = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
  }
  read_key_lists = [for place in compact([var.key_lists]) : { Sid = "ReadKeyLists", Effect = "Allow", Action = "s3:GetObject", Resource = "arn:${local.partition}:s3:::${place}*" }]
  encrypt_results = [for key in compact([var.results_kms_key_arn]) : {
    Sid = "EncryptResults", Effect = "Allow", Action = ["kms:GenerateDataKey", "kms:Decrypt"], Resource = key, Condition = local.by_s3
  }]
}

# ---- network: two or three public subnets without NAT, and an S3 gateway endpoint ----------------------------------------------------------------

resource "aws_vpc" "vpc" {
  count                = local.makes_network ? 1 : 0
  cidr_block           = "10.42.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

# The gateway and its attachment.
resource "aws_internet_gateway" "gateway" {
  count  = local.makes_network ? 1 : 0
  vpc_id = aws_vpc.vpc[0].id
  tags   = { Name = var.name }
}

resource "aws_route_table" "routes" {
  count  = local.makes_network ? 1 : 0
  vpc_id = aws_vpc.vpc[0].id
  tags   = { Name = var.name }
}

resource "aws_route" "default" {
  count                  = local.makes_network ? 1 : 0
  route_table_id         = aws_route_table.routes[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.gateway[0].id
}

resource "aws_subnet" "a" {
  count             = local.makes_network ? 1 : 0
  vpc_id            = aws_vpc.vpc[0].id
  availability_zone = var.zone_a != "" ? var.zone_a : data.aws_availability_zones.available.names[0]
  cidr_block        = "10.42.0.0/20"
  tags              = { Name = "${var.name}-a" }
}

resource "aws_subnet" "b" {
  count             = local.makes_network ? 1 : 0
  vpc_id            = aws_vpc.vpc[0].id
  availability_zone = var.zone_b != "" ? var.zone_b : data.aws_availability_zones.available.names[1]
  cidr_block        = "10.42.16.0/20"
  tags              = { Name = "${var.name}-b" }
}

resource "aws_subnet" "c" {
  count             = local.makes_third_subnet ? 1 : 0
  vpc_id            = aws_vpc.vpc[0].id
  availability_zone = var.zone_c
  cidr_block        = "10.42.32.0/20"
  tags              = { Name = "${var.name}-c" }
}

resource "aws_route_table_association" "a" {
  count          = local.makes_network ? 1 : 0
  subnet_id      = aws_subnet.a[0].id
  route_table_id = aws_route_table.routes[0].id
}

resource "aws_route_table_association" "b" {
  count          = local.makes_network ? 1 : 0
  subnet_id      = aws_subnet.b[0].id
  route_table_id = aws_route_table.routes[0].id
}

resource "aws_route_table_association" "c" {
  count          = local.makes_third_subnet ? 1 : 0
  subnet_id      = aws_subnet.c[0].id
  route_table_id = aws_route_table.routes[0].id
}

resource "aws_vpc_endpoint" "s3" {
  count             = local.makes_network ? 1 : 0
  vpc_id            = aws_vpc.vpc[0].id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${local.region}.s3"
  route_table_ids   = [aws_route_table.routes[0].id]
}

resource "aws_security_group" "task" {
  count       = local.makes_security_group ? 1 : 0
  description = "parfetch tasks - nothing in, https out"
  vpc_id      = local.makes_network ? aws_vpc.vpc[0].id : var.vpc_id
  egress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["0.0.0.0/0"]
    description = "https"
  }
  tags = { Name = var.name }
}

# ---- results: a private bucket that `terraform destroy` leaves alone while there is something in it -------------------------------------------------

resource "aws_s3_bucket" "results" {
  count         = local.makes_results_bucket ? 1 : 0
  bucket_prefix = "${var.name}-results-"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "results" {
  count  = local.makes_results_bucket ? 1 : 0
  bucket = aws_s3_bucket.results[0].id
  rule {
    bucket_key_enabled = var.results_kms_key_arn != ""
    apply_server_side_encryption_by_default {
      sse_algorithm     = var.results_kms_key_arn == "" ? "AES256" : "aws:kms"
      kms_master_key_id = var.results_kms_key_arn == "" ? null : var.results_kms_key_arn
    }
  }
}

resource "aws_s3_bucket_ownership_controls" "results" {
  count  = local.makes_results_bucket ? 1 : 0
  bucket = aws_s3_bucket.results[0].id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "results" {
  count                   = local.makes_results_bucket ? 1 : 0
  bucket                  = aws_s3_bucket.results[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "results" {
  count  = local.makes_results_bucket ? 1 : 0
  bucket = aws_s3_bucket.results[0].id
  rule {
    id     = "unfinished-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
  dynamic "rule" {
    for_each = var.results_expire_days > 0 ? [var.results_expire_days] : []
    content {
      id     = "old-results"
      status = "Enabled"
      filter {
        prefix = "parfetch/"
      }
      expiration {
        days = rule.value
      }
    }
  }
}

resource "aws_s3_bucket_policy" "results" {
  count  = local.makes_results_bucket ? 1 : 0
  bucket = aws_s3_bucket.results[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TlsOnly", Effect = "Deny", Principal = "*", Action = "s3:*", Resource = [local.results_arn, "${local.results_arn}/*"],
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "Tls12OrLater", Effect = "Deny", Principal = "*", Action = "s3:*", Resource = [local.results_arn, "${local.results_arn}/*"],
        Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
      },
    ]
  })
}

# ---- program ----------------------------------------------------------------------------------------------------------------------------------------

resource "aws_ecr_repository" "repository" {
  count                = local.makes_repository ? 1 : 0
  name                 = var.name
  force_delete         = true
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_cloudwatch_log_group" "log" {
  name              = "/parfetch/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_ecs_cluster" "cluster" {
  name = var.name
  setting {
    name  = "containerInsights"
    value = "disabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "cluster" {
  cluster_name       = aws_ecs_cluster.cluster.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

# One definition for all sizes: a sweep overrides the task's CPU and memory, which the container follows only while it has none of its own.
resource "aws_ecs_task_definition" "task" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.task_cpu
  memory                   = local.memory
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn
  runtime_platform {
    cpu_architecture        = var.architecture
    operating_system_family = "LINUX"
  }
  dynamic "ephemeral_storage" {
    for_each = var.task_disk_gib == 20 ? [] : [var.task_disk_gib]
    content {
      size_in_gib = ephemeral_storage.value
    }
  }
  volume {
    name = "scratch"
  }
  container_definitions = jsonencode([{
    name                   = "parfetch"
    image                  = local.image
    essential              = true
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    ulimits                = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    stopTimeout            = 120
    mountPoints            = [{ sourceVolume = "scratch", containerPath = "/scratch", readOnly = false }]
    environment            = local.environment
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.log.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "task"
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }
  }])
}

# Somebody's own program, as its image is: a sweep gives its container the study's variables for each task.
resource "aws_ecs_task_definition" "contender" {
  count                    = local.has_contender ? 1 : 0
  family                   = "${var.name}-contender"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.task_cpu
  memory                   = local.memory
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn
  runtime_platform {
    cpu_architecture        = var.architecture
    operating_system_family = "LINUX"
  }
  dynamic "ephemeral_storage" {
    for_each = var.task_disk_gib == 20 ? [] : [var.task_disk_gib]
    content {
      size_in_gib = ephemeral_storage.value
    }
  }
  container_definitions = jsonencode([{
    name            = "app"
    image           = var.contender_image
    essential       = true
    linuxParameters = { capabilities = { drop = ["ALL"] } }
    ulimits         = [{ name = "nofile", softLimit = 65535, hardLimit = 65535 }]
    stopTimeout     = 120
    environment     = [{ name = "BUCKET_NAME", value = var.source_bucket }, { name = "RESULT_BUCKET_NAME", value = local.results_bucket }]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.log.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "contender"
        mode                  = "non-blocking"
        max-buffer-size       = "25m"
      }
    }
  }])
}

# ---- roles ------------------------------------------------------------------------------------------------------------------------------------------

resource "aws_iam_role" "task" {
  name_prefix = "${var.name}-task-"
  description = "What a running parfetch may do - read the source bucket, keep results"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole",
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "task" {
  name = "source-and-results"
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        local.list_source,
        { Sid = "ReadSource", Effect = "Allow", Action = "s3:GetObject", Resource = "${local.source_arn}/${var.source_prefix}*" },
        # Wins over whatever else is attached to this role, now or later.
        { Sid = "NeverWriteToSource", Effect = "Deny", NotAction = ["s3:ListBucket", "s3:GetObject"], Resource = [local.source_arn, "${local.source_arn}/*"] },
        local.list_results,
        local.keep_results,
      ],
      # A contender that knows a bucket alone stores its CSV as result_….csv.
      [for image in compact([var.contender_image]) : { Sid = "StoreCsv", Effect = "Allow", Action = "s3:PutObject", Resource = "${local.results_arn}/result_*.csv" }],
      local.read_key_lists,
      [for key in compact([var.source_kms_key_arn]) : { Sid = "DecryptSource", Effect = "Allow", Action = "kms:Decrypt", Resource = key, Condition = local.by_s3 }],
      local.encrypt_results,
    )
  })
}

resource "aws_iam_role" "execution" {
  name_prefix = "${var.name}-execution-"
  description = "What Fargate may do to start parfetch - pull its image, write its log"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

resource "aws_iam_role_policy" "execution" {
  name = "image-and-log"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "LogIn", Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" },
      {
        Sid      = "Pull", Effect = "Allow", Action = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        Resource = local.makes_repository && !local.has_contender ? aws_ecr_repository.repository[0].arn : "arn:${local.partition}:ecr:*:${local.account}:repository/*"
      },
      {
        Sid      = "PullGuardDuty", Effect = "Allow", Action = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        Resource = "arn:${local.partition}:ecr:${local.region}:*:repository/aws-guardduty-agent-fargate"
      },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = "${aws_cloudwatch_log_group.log.arn}:*" },
    ]
  })
}

# For whoever starts tasks and sweeps: attach it to that user or role.
resource "aws_iam_policy" "caller" {
  name_prefix = "${var.name}-caller-"
  description = "Start, watch and stop parfetch tasks of one module, and read and keep its results"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "Run", Effect = "Allow", Action = "ecs:RunTask",
          Resource  = [for family in concat([var.name], local.has_contender ? ["${var.name}-contender"] : []) : "${local.ecs}:task-definition/${family}:*"],
          Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.cluster.arn } }
        },
        { Sid = "WatchAndStop", Effect = "Allow", Action = ["ecs:DescribeTasks", "ecs:StopTask"], Resource = "${local.ecs}:task/${var.name}/*" },
        {
          Sid       = "Tag", Effect = "Allow", Action = "ecs:TagResource", Resource = "${local.ecs}:task/${var.name}/*",
          Condition = { StringEquals = { "ecs:CreateAction" = "RunTask" } }
        },
        { Sid = "Find", Effect = "Allow", Action = "ecs:ListTasks", Resource = "*", Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.cluster.arn } } },
        { Sid = "ReadDefinitionAndDefaultQuota", Effect = "Allow", Action = ["ecs:DescribeTaskDefinition", "servicequotas:GetAWSDefaultServiceQuota"], Resource = "*" },
        { Sid = "ReadQuota", Effect = "Allow", Action = "servicequotas:GetServiceQuota", Resource = "arn:${local.partition}:servicequotas:${local.region}:${local.account}:fargate/*" },
        {
          Sid       = "PassRoles", Effect = "Allow", Action = "iam:PassRole", Resource = [aws_iam_role.task.arn, aws_iam_role.execution.arn],
          Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
        },
        { Sid = "ReadLog", Effect = "Allow", Action = ["logs:FilterLogEvents", "logs:GetLogEvents"], Resource = "${aws_cloudwatch_log_group.log.arn}:*" },
        local.list_source,
        local.list_results,
        local.keep_results,
        # doctor proves that results can be stored. Nothing else is removed.
        { Sid = "RemoveProof", Effect = "Allow", Action = "s3:DeleteObject", Resource = "${local.results_arn}/parfetch/*parfetch-doctor-*.json" },
      ],
      [for image in compact([var.contender_image]) : { Sid = "ReadCsv", Effect = "Allow", Action = "s3:GetObject", Resource = "${local.results_arn}/result_*.csv" }],
      local.read_key_lists,
      local.encrypt_results,
      [for queue in aws_batch_job_queue.queue[*].arn : {
        Sid      = "Submit", Effect = "Allow", Action = "batch:SubmitJob",
        Resource = [queue, "${local.batch}:job-definition/${var.name}", "${local.batch}:job-definition/${var.name}:*", "${local.batch}:job/*"]
      }],
      [for queue in aws_batch_job_queue.queue[*].arn : {
        Sid = "StopJobs", Effect = "Allow", Action = ["batch:CancelJob", "batch:TagResource", "batch:TerminateJob"], Resource = "${local.batch}:job/*"
      }],
      [for queue in aws_batch_job_queue.queue[*].arn : { Sid = "WatchJobs", Effect = "Allow", Action = ["batch:DescribeJobs", "batch:ListJobs"], Resource = "*" }],
    )
  })
}

locals {
  ecs   = "arn:${local.partition}:ecs:${local.region}:${local.account}"
  batch = "arn:${local.partition}:batch:${local.region}:${local.account}"
}

# ---- Batch ------------------------------------------------------------------------------------------------------------------------------------------

resource "aws_batch_compute_environment" "environment" {
  count       = var.enable_batch ? 1 : 0
  name_prefix = "${var.name}-"
  type        = "MANAGED"
  state       = "ENABLED"
  compute_resources {
    type               = var.batch_capacity
    max_vcpus          = var.batch_max_vcpus
    subnets            = local.subnets
    security_group_ids = local.security_groups
  }
}

resource "aws_batch_job_queue" "queue" {
  count    = var.enable_batch ? 1 : 0
  name     = var.name
  priority = 1
  state    = "ENABLED"
  compute_environment_order {
    order               = 1
    compute_environment = aws_batch_compute_environment.environment[0].arn
  }
}

resource "aws_batch_job_definition" "job" {
  count                 = var.enable_batch ? 1 : 0
  name                  = var.name
  type                  = "container"
  platform_capabilities = ["FARGATE"]
  propagate_tags        = true
  timeout {
    attempt_duration_seconds = 86400
  }
  retry_strategy {
    attempts = 3
    evaluate_on_exit {
      action    = "EXIT"
      on_reason = "CannotPullContainerError*"
    }
    evaluate_on_exit {
      action           = "RETRY"
      on_status_reason = "Your Spot Task was interrupted*"
    }
    evaluate_on_exit {
      action           = "RETRY"
      on_status_reason = "Task failed to start*"
    }
    evaluate_on_exit {
      action       = "RETRY"
      on_exit_code = "143"
    }
    evaluate_on_exit {
      action           = "EXIT"
      on_status_reason = "*"
    }
  }
  container_properties = jsonencode(merge(
    var.task_disk_gib == 20 ? {} : { ephemeralStorage = { sizeInGiB = var.task_disk_gib } },
    {
      image                        = local.image
      jobRoleArn                   = aws_iam_role.task.arn
      executionRoleArn             = aws_iam_role.execution.arn
      user                         = "65532:65532"
      resourceRequirements         = [{ type = "VCPU", value = local.vcpu }, { type = "MEMORY", value = local.memory }]
      fargatePlatformConfiguration = { platformVersion = "LATEST" }
      runtimePlatform              = { cpuArchitecture = var.architecture, operatingSystemFamily = "LINUX" }
      networkConfiguration         = { assignPublicIp = local.public_address }
      environment                  = local.environment
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.log.name
          awslogs-region        = local.region
          awslogs-stream-prefix = "job"
        }
      }
    },
  ))
}
