fal.delete_payloads "https://fal.media/files/lion/a.png" -- here
