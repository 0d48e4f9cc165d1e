# As the parameters of infra/template.yaml, with the same defaults.

variable "name" {
  description = "Name of cluster, family, log group, queue and job definition; two modules need two names."
  type        = string
  default     = "parfetch"
}

variable "source_bucket" {
  description = "The bucket that is listed and read. Nothing in this stack can write to it."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.source_bucket))
    error_message = "The name of a general-purpose bucket, not an ARN or a URL."
  }
}

variable "source_prefix" {
  description = "Only keys that begin with this are listed and read; empty for the whole bucket."
  type        = string
  default     = ""

  validation {
    condition     = can(regex("^[A-Za-z0-9/_.=+-]*$", var.source_prefix))
    error_message = "Letters, digits and / _ . = + -."
  }
}

variable "source_kms_key_arn" {
  description = "ARN of the key with which the source bucket's objects are encrypted (SSE-KMS); empty for SSE-S3 or none."
  type        = string
  default     = ""
}

variable "key_lists" {
  description = "Where else key lists and inventories are, as bucket/prefix; empty when they are in the source or the results bucket."
  type        = string
  default     = ""
}

variable "existing_results_bucket" {
  description = "A bucket of yours in which results go below parfetch/; empty makes one, which stays when the stack is deleted."
  type        = string
  default     = ""

  validation {
    condition     = var.existing_results_bucket != var.source_bucket
    error_message = "Results cannot go to the source bucket, which is only read."
  }
}

variable "results_kms_key_arn" {
  description = "ARN of the key for results (SSE-KMS); empty for SSE-S3."
  type        = string
  default     = ""
}

variable "results_expire_days" {
  description = "Results in the bucket that this stack makes are removed after so many days; 0 keeps them."
  type        = number
  default     = 0

  validation {
    condition     = var.results_expire_days >= 0 && var.results_expire_days <= 3650
    error_message = "From 0 to 3650."
  }
}

variable "image" {
  description = "Image of parfetch, with registry and tag or digest; empty makes a repository in this stack, to which you push."
  type        = string
  default     = ""
}

variable "image_tag" {
  description = "Tag of the image in this stack's repository; not used when Image is given."
  type        = string
  default     = "0.1.0"
}

variable "contender_image" {
  description = "Image of your own program, which a sweep measures as a contender; empty makes no task definition for one."
  type        = string
  default     = ""
}

variable "architecture" {
  description = "Architecture of the tasks; the image has to be built for it."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "One of X86_64, ARM64."
  }
}

variable "task_cpu" {
  description = "1024 units are one vCPU. The memory is the least that Fargate has with it. A sweep overrides both for each cell."
  type        = string
  default     = "1024"

  validation {
    condition     = contains(["256", "512", "1024", "2048", "4096", "8192", "16384", "32768"], var.task_cpu)
    error_message = "One of 256, 512, 1024, 2048, 4096, 8192, 16384, 32768."
  }
}

variable "task_disk_gib" {
  description = "A task has 20 GiB that cost nothing. Keys, rows and CSV need about 400 bytes for each object."
  type        = number
  default     = 20

  validation {
    condition     = var.task_disk_gib >= 20 && var.task_disk_gib <= 200
    error_message = "From 20 to 200."
  }
}

variable "log_retention_days" {
  description = "Days after which CloudWatch removes the tasks' logs."
  type        = number
  default     = 30
}

variable "zone_a" {
  description = "Availability zone of the first subnet; empty takes the region's first. Fargate is not in every zone of ap-northeast-1 and us-west-1."
  type        = string
  default     = ""
}

variable "zone_b" {
  description = "Availability zone of the second subnet; empty takes the region's second."
  type        = string
  default     = ""
}

variable "zone_c" {
  description = "Availability zone of a third subnet, against missing capacity and for more than 8,000 tasks; empty makes none."
  type        = string
  default     = ""
}

variable "vpc_id" {
  description = "A VPC of yours; empty makes one with two public subnets and an S3 gateway endpoint, without NAT."
  type        = string
  default     = ""
}

variable "subnet_ids" {
  description = "Subnets in that VPC, from which S3, ECR and CloudWatch Logs are reached. Give them an S3 gateway endpoint; NAT costs more than the tasks."
  type        = list(string)
  default     = []

  validation {
    condition     = (length(var.subnet_ids) > 0) == (var.vpc_id != "")
    error_message = "An existing VPC and its subnets come together."
  }
}

variable "security_group_ids" {
  description = "Security groups in that VPC, where https alone does not suffice (DNS servers of your own); empty makes one."
  type        = list(string)
  default     = []

  validation {
    condition     = length(var.security_group_ids) == 0 || var.vpc_id != ""
    error_message = "Existing security groups need their vpc_id as well."
  }
}

variable "assign_public_ip" {
  description = "ENABLED when the existing subnets are public. The subnets that this stack makes always are."
  type        = string
  default     = "DISABLED"

  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.assign_public_ip)
    error_message = "One of ENABLED, DISABLED."
  }
}

variable "enable_batch" {
  description = "Whether to make a Batch queue and job definition too, for buckets that one task is too small for."
  type        = bool
  default     = false
}

variable "batch_capacity" {
  description = "FARGATE_SPOT is cheaper and may be interrupted; interrupted jobs are tried again."
  type        = string
  default     = "FARGATE"

  validation {
    condition     = contains(["FARGATE", "FARGATE_SPOT"], var.batch_capacity)
    error_message = "One of FARGATE, FARGATE_SPOT."
  }
}

variable "batch_max_vcpus" {
  description = "No more than the account's quota of Fargate vCPU, which is 6 in a new account."
  type        = number
  default     = 6

  validation {
    condition     = var.batch_max_vcpus >= 1 && var.batch_max_vcpus <= 10000
    error_message = "From 1 to 10000."
  }
}
