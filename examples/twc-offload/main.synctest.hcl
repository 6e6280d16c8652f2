# Models are removed from the source only after they have arrived, and while it stands still.

run "planned" {
  command = plan
  expect_steps = [
    "migration.teamwork_cloud_offload.dormant_2019/arrived",
    "migration.teamwork_cloud_offload.dormant_2019/backup_source",
    "migration.teamwork_cloud_offload.dormant_2019/stop_source",
    "migration.teamwork_cloud_offload.dormant_2019/unchanged",
    "migration.teamwork_cloud_offload.dormant_2019/remove",
    "migration.teamwork_cloud_offload.dormant_2019/start_source",
  ]
}

# A password of another server is a mistake that shows before anything is done.
run "wrong_password" {
  command         = plan
  expect_failures = [server.teamwork_cloud.archive]

  variables {
    archive_password = "not-the-archive's"
  }
}
