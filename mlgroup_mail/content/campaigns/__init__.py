"""What the team writes: a campaign's folder, its mailings, their texts and translations."""
