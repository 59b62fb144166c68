"""What the comparison page shows of pictures: the same validation frames through each trial's best checkpoint."""
