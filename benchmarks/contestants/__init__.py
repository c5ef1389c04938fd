"""What Alphard is measured against: each module is an application that Uvicorn serves."""
