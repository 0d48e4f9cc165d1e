output "sweep" {
  description = "Flags of `parfetch sweep` for what this module made"
  value = join(" ", [
    "--on ecs -b ${var.source_bucket} -r s3://${local.results_bucket}/parfetch/ --cluster ${aws_ecs_cluster.cluster.arn}",
    "--task-definition ${var.name} --container parfetch --subnets ${join(",", local.subnets)} --security-groups ${join(",", local.security_groups)}",
    "--assign-public-ip ${local.public_address} --log-group ${aws_cloudwatch_log_group.log.name}",
    var.source_prefix == "" ? "" : "--prefix ${var.source_prefix}",
  ])
}

output "doctor" {
  description = "Flags of `parfetch doctor` for what this module made"
  value = join(" ", [
    "-b ${var.source_bucket} -r s3://${local.results_bucket}/parfetch/ --cluster ${aws_ecs_cluster.cluster.arn}",
    var.source_prefix == "" ? "" : "--prefix ${var.source_prefix}",
  ])
}

output "submit" {
  description = "Flags of `parfetch submit` for what this module made; empty without Batch"
  value = join(" ", [for queue in aws_batch_job_queue.queue : join(" ", [
    "-b ${var.source_bucket} -r s3://${local.results_bucket}/parfetch/ --queue ${queue.arn} --job-definition ${var.name} --max-vcpus ${var.batch_max_vcpus}",
    "--arch ${lower(var.architecture)} --task-disk ${var.task_disk_gib}",
    var.source_prefix == "" ? "" : "--prefix ${var.source_prefix}",
  ])])
}

output "contender_family" {
  description = "Family of the task definition of your own program; empty without one"
  value       = local.has_contender ? "${var.name}-contender" : ""
}

output "image" {
  description = "Image that is run: push it to this name"
  value       = local.image
}

output "caller_policy_arn" {
  description = "Policy for whoever starts tasks and sweeps"
  value       = aws_iam_policy.caller.arn
}

output "task_role_arn" {
  description = "Role of the running program"
  value       = aws_iam_role.task.arn
}
