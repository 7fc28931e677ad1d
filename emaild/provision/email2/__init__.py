"""Windows EMAIL2 documents: OMA DM's SyncML and OMA Client Provisioning become accounts in conf.d, and back."""
