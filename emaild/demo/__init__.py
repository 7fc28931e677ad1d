"""The servers and the mails of `emaild demo`: the main job on a machine that has no mail account."""
